//! Replies to the operations of the last step.

use cucumber::then;

use harness::gherkin::{ScenarioWorld, StepError};

use super::replies::{Replied, problems};
use super::{Done, Ticketing as _};

#[then(expr = "{word} succeeds")]
async fn succeeds(world: &mut ScenarioWorld, who: String) -> Done {
    for replied in of(world, &who)? {
        replied.success()?;
    }
    Ok(())
}

#[then(expr = "{word} gets the error {string}")]
async fn gets_error(world: &mut ScenarioWorld, who: String, message: String) -> Done {
    for replied in of(world, &who)? {
        replied.refused(&message)?;
    }
    Ok(())
}

#[then(expr = "{word} gets a validation error for {string}")]
async fn gets_validation_error(world: &mut ScenarioWorld, who: String, fields: String) -> Done {
    for replied in of(world, &who)? {
        let problems = problems(replied.reply)?;
        let mut named: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
        named.sort_unstable();
        let mut expected: Vec<&str> = fields.split(" and ").collect();
        expected.sort_unstable();
        let fits = replied.reply.status() == Some(400) && named == expected;
        StepError::unless(fits, || format!("{who} got the reply {}", replied.describe()))?;
    }
    Ok(())
}

#[then(expr = "{word} gets no reply")]
async fn gets_no_reply(world: &mut ScenarioWorld, who: String) -> Done {
    for replied in of(world, &who)? {
        let silent = replied.reply.status().is_none();
        StepError::unless(silent, || format!("{who} got the reply {}", replied.describe()))?;
    }
    Ok(())
}

/// The replies to this client in the last step.
///
/// # Errors
///
/// When there are none.
fn of<'a>(world: &'a ScenarioWorld, who: &str) -> Result<Vec<Replied<'a>>, StepError> {
    let mut replied = world.replied();
    replied.retain(|replied| replied.who() == who);
    StepError::unless(!replied.is_empty(), || format!("{who} sent no request in the last step"))?;
    Ok(replied)
}
