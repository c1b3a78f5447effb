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

#[then(expr = "{word} is told {string}")]
async fn is_told(world: &mut ScenarioWorld, who: String, message: String) -> Done {
    for replied in of(world, &who)? {
        replied.refused(&message)?;
    }
    Ok(())
}

#[then(expr = "{word} is told that {string} is not right")]
async fn is_told_fields(world: &mut ScenarioWorld, who: String, fields: String) -> Done {
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

#[then(expr = "{word} gets no answer")]
async fn gets_no_answer(world: &mut ScenarioWorld, who: String) -> Done {
    for replied in of(world, &who)? {
        let silent = replied.reply.status().is_none();
        StepError::unless(silent, || format!("{who} got the reply {}", replied.describe()))?;
    }
    Ok(())
}

/// The replies to this client in the last step; at least one.
fn of<'a>(world: &'a ScenarioWorld, who: &str) -> Result<Vec<Replied<'a>>, StepError> {
    let mut replied = world.replied();
    replied.retain(|replied| replied.who() == who);
    StepError::unless(!replied.is_empty(), || format!("{who} did nothing in the last step"))?;
    Ok(replied)
}
