//! Time, and services that stop and start.

use std::time::Duration;

use cucumber::{given, then, when};

use super::Done;
use crate::stage::{Stage, Wrong};

#[when(expr = "{int} second(s) pass(es)")]
async fn seconds_pass(stage: &mut Stage, seconds: u64) {
    stage.pass(Duration::from_secs(seconds)).await;
}

#[when(expr = "{int} minute(s) pass(es)")]
async fn minutes_pass(stage: &mut Stage, minutes: u64) {
    stage.pass(Duration::from_secs(60 * minutes)).await;
}

#[when(expr = "{int} hour(s) pass(es)")]
async fn hours_pass(stage: &mut Stage, hours: u64) {
    stage.pass(Duration::from_secs(60 * 60 * hours)).await;
}

#[given(expr = "there are {int} instances of {word}")]
async fn instances(stage: &mut Stage, count: usize, service: String) -> Done {
    for _ in stage.world().instances(&service)..count {
        stage.world().start(&service).await?;
    }
    Ok(())
}

#[given(expr = "{word} is stopped")]
#[when(expr = "{word} is stopped")]
async fn is_stopped(stage: &mut Stage, service: String) -> Done {
    let stopped = stage.world().crash(&service).await;
    Wrong::unless(stopped > 0, || format!("{service} was not running"))
}

#[when(expr = "{word} is started again")]
async fn is_started(stage: &mut Stage, service: String) -> Done {
    let running = stage.world().instances(&service);
    Wrong::unless(running == 0, || format!("{service} never went down"))?;
    Ok(stage.world().start(&service).await?)
}

#[when(expr = "{word} is stopped and started again")]
async fn is_restarted(stage: &mut Stage, service: String) -> Done {
    is_stopped(stage, service.clone()).await?;
    is_started(stage, service).await
}

#[then(expr = "{word} is still running")]
async fn is_running(stage: &mut Stage, service: String) -> Done {
    let running = stage.world().instances(&service);
    Wrong::unless(running > 0, || format!("{service} went down"))
}
