//! Tests of the servers: acquired, broken, and gone without a trace.
//!
//! Some tests run this binary again as a child process with a task in `SERVERS_TEST_TASK`, so
//! no test changes the environment of this process.

#[path = "servers/cluster.rs"]
mod cluster;
#[path = "servers/fixture.rs"]
mod fixture;
#[path = "servers/lifecycle.rs"]
mod lifecycle;
#[path = "servers/sources.rs"]
mod sources;

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

const CHILD_TASK: &str = "SERVERS_TEST_TASK";
/// Each test starts servers of its own.
const THREADS: usize = 4;

/// A condition without which a test is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// Real servers, and the network to fetch them. `REHEARSAL_REAL=skip` ignores these.
    Servers,
    /// A Docker engine as well.
    Docker,
}

fn main() {
    if let Ok(task) = std::env::var(CHILD_TASK) {
        return runtime().block_on(fixture::run_task(&task));
    }
    let unwanted = servers::are_unwanted();
    let no_docker = unwanted || !fixture::docker_is_available();
    let mut trials = Vec::new();
    macro_rules! test {
        ($needs:ident, $module:ident::$name:ident) => {
            let run = || {
                runtime().block_on($module::$name());
                Ok(())
            };
            let ignored = match Needs::$needs {
                Needs::Nothing => false,
                Needs::Servers => unwanted,
                Needs::Docker => no_docker,
            };
            trials.push(Trial::test(stringify!($name), run).with_ignored_flag(ignored));
        };
    }
    test!(Servers, lifecycle::a_killed_server_restarts_on_its_port_with_its_data);
    test!(Servers, lifecycle::a_frozen_server_answers_only_after_a_thaw);
    test!(Servers, lifecycle::stop_leaves_no_process_and_no_folder);
    test!(Servers, lifecycle::drop_leaves_no_process_and_no_folder);
    test!(Servers, lifecycle::two_pairs_run_side_by_side);
    test!(Servers, lifecycle::servers_and_data_are_gone_after_their_owner_is_killed);
    test!(Servers, lifecycle::the_shared_pair_ends_with_its_process);
    test!(Servers, lifecycle::a_start_removes_the_folders_of_dead_processes);
    test!(
        Servers,
        cluster::a_cluster_keeps_what_it_acknowledged_when_its_leaders_are_killed_or_frozen
    );
    test!(Servers, cluster::a_cluster_without_a_majority_is_unavailable);
    test!(Servers, cluster::a_write_that_no_majority_has_is_not_read);
    test!(Servers, cluster::what_is_no_cluster_is_refused);
    test!(Servers, sources::concurrent_starts_fetch_once);
    test!(Servers, sources::a_download_with_a_wrong_hash_is_rejected_and_not_kept);
    test!(Nothing, sources::a_damaged_binary_is_refused_by_local_and_by_the_doctor);
    test!(Servers, sources::a_damaged_binary_is_fetched_again);
    test!(Nothing, sources::a_forced_source_that_fails_explains_why_and_lists_all_sources);
    test!(Nothing, sources::a_binary_that_does_not_start_shows_its_log);
    test!(Servers, sources::given_urls_are_used_and_never_stopped);
    test!(Servers, sources::credentials_in_a_given_url_are_used);
    test!(Docker, sources::containers_serve_and_are_removed);
    test!(Docker, sources::containers_are_removed_after_their_owner_is_killed);
    test!(Nothing, sources::without_an_engine_the_error_says_so);

    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(THREADS);
    libtest_mimic::run(&arguments, trials).exit();
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime needs nothing but threads")
}
