//! The deployment agrees with the system: every service has its own users, and their rights cover
//! what it publishes.

use std::collections::BTreeMap;

use contracts::catalogue;

use super::tree;

/// The namespace of the deployment.
const NAMESPACE: &str = "ticketing";

fn text(path: &str) -> String {
    std::fs::read_to_string(tree::root().join(path)).expect("the file is readable")
}

/// The lines of each user in the configuration of NATS, by name.
fn users() -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in text("deploy/nats.conf").lines().map(str::trim) {
        if let Some(user) = line.strip_prefix("user: ") {
            current = Some(user.to_owned());
        }
        if let Some(user) = &current {
            users.entry(user.clone()).or_default().push(line.to_owned());
        }
    }
    users
}

/// Whether one of the quoted subjects in these lines matches a subject.
fn allows(lines: &[String], subject: &str) -> bool {
    let quoted = lines.iter().flat_map(|line| line.split('"').skip(1).step_by(2));
    let mut matching = quoted.filter(|allowed| match allowed.strip_suffix('>') {
        Some(prefix) => subject.starts_with(prefix),
        None => *allowed == subject,
    });
    matching.next().is_some()
}

#[test]
fn every_event_is_published_by_the_user_of_its_service_alone() {
    let users = users();
    let services = || ticketing::SERVICES.iter().map(|entry| entry.name);
    let mut wrong = Vec::new();
    for event in catalogue::all() {
        for service in services() {
            let subject = format!("{NAMESPACE}.{}", event.subject);
            let may = users.get(service).is_some_and(|lines| allows(lines, &subject));
            if may != (service == event.from) {
                wrong.push(format!("{service}: {subject}"));
            }
        }
    }
    tree::expect_none("deploy/nats.conf: wrong rights", wrong);
}

#[test]
fn every_service_has_users_of_its_own() {
    let (compose, mongo) = (text("docker-compose.yml"), text("deploy/mongo-users.js"));
    let secrets = text("deploy/secrets.sh");
    let mut missing = Vec::new();
    for name in ticketing::SERVICES.iter().map(|entry| entry.name) {
        let upper = name.to_uppercase();
        let urls = [
            format!("nats://{name}:${{NATS_{upper}_PASSWORD:?"),
            format!("mongodb://{name}:${{MONGO_{upper}_PASSWORD:?"),
        ];
        missing.extend(urls.into_iter().filter(|url| !compose.contains(url)));
        missing.extend((!mongo.contains(&format!("\"{name}\""))).then(|| format!("mongo: {name}")));
        missing.extend((!secrets.contains(&upper)).then(|| format!("secrets: {name}")));
    }
    tree::expect_none("these services lack a user", missing);
}

/// The manifests by file name.
fn manifests() -> BTreeMap<String, String> {
    let all = tree::all().into_iter();
    let of_kubernetes = all.filter(|file| file.is_under(&["deploy/kubernetes"]));
    of_kubernetes.map(|file| (file.path.replace("deploy/", ""), file.text)).collect()
}

#[test]
fn kubernetes_applies_every_manifest_and_every_service_has_one() {
    let (manifests, list) = (manifests(), text("deploy/kustomization.yaml"));
    let unlisted = manifests.keys().filter(|path| !list.contains(&format!("- {path}\n"))).cloned();
    let mut wrong: Vec<String> = unlisted.collect();
    for entry in ticketing::SERVICES {
        let (name, upper) = (entry.name, entry.name.to_uppercase());
        let manifest = manifests.get(&format!("kubernetes/{name}.yaml"));
        let parts = [
            format!("args: [\"serve\", \"{name}\"]"),
            format!("key: NATS_{upper}_PASSWORD"),
            format!("nats://{name}:$(NATS_PASSWORD)@nats:4222"),
            format!("key: MONGO_{upper}_PASSWORD"),
            format!("mongodb://{name}:$(MONGO_PASSWORD)@mongo:27017/ticketing-{name}?journal=true"),
        ];
        let lacks = |part: &String| !manifest.is_some_and(|manifest| manifest.contains(part));
        wrong.extend(parts.into_iter().filter(lacks).map(|part| format!("{name}: {part}")));
        for path in entry.prefixes {
            let rule = format!("path: {path}\n");
            let ingress = &manifests["kubernetes/ingress.yaml"];
            wrong.extend((!ingress.contains(&rule)).then(|| format!("ingress: {path}")));
        }
    }
    tree::expect_none("deploy/kubernetes lacks these", wrong);
}

#[test]
fn kubernetes_has_the_images_and_the_settings_of_compose() {
    let compose = text("docker-compose.yml");
    let all: String = manifests().into_values().collect();
    let lines = || compose.lines().map(str::trim);
    // nginx is the ingress of compose alone.
    let images = lines().filter_map(|line| line.strip_prefix("image: "));
    let images =
        images.filter(|image| !image.starts_with("nginx")).map(|i| format!("image: {i}\n"));
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let names = lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let names = names.filter(|name| name.len() > 2 && is_name(name)).map(str::to_owned);
    let missing = images.chain(names).filter(|part| !all.contains(part));
    tree::expect_none("deploy/kubernetes lacks these of docker-compose.yml", missing);
}
