use libtest_mimic::Failed;
use tokio::runtime::Runtime;
pub(super) fn random_operations(_r: &Runtime, _c: &mongodb::Client) -> Result<(), Failed> {
    Ok(())
}
