//! What people were told in answer to the last thing they did.

use cucumber::then;

use super::Done;
use crate::stage::answers::problems;
use crate::stage::{Answered, Stage, Wrong};

#[then(expr = "{word} succeeds")]
async fn succeeds(stage: &mut Stage, who: String) -> Done {
    for answered in of(stage, &who)? {
        answered.success()?;
    }
    Ok(())
}

#[then(expr = "{word} is told {string}")]
async fn is_told(stage: &mut Stage, who: String, message: String) -> Done {
    for answered in of(stage, &who)? {
        answered.refused(&message)?;
    }
    Ok(())
}

#[then(expr = "{word} is told that {string} is not right")]
async fn is_told_fields(stage: &mut Stage, who: String, fields: String) -> Done {
    for answered in of(stage, &who)? {
        let problems = problems(&answered.reply)?;
        let mut named: Vec<&str> = problems.iter().map(|(field, _)| field.as_str()).collect();
        named.sort_unstable();
        let mut expected: Vec<&str> = fields.split(" and ").collect();
        expected.sort_unstable();
        let fits = answered.reply.status() == Some(400) && named == expected;
        Wrong::unless(fits, || format!("{who} was told {}", answered.describe()))?;
    }
    Ok(())
}

#[then(expr = "{word} gets no answer")]
async fn gets_no_answer(stage: &mut Stage, who: String) -> Done {
    for answered in of(stage, &who)? {
        let silent = answered.reply.status().is_none();
        Wrong::unless(silent, || format!("{who} was told {}", answered.describe()))?;
    }
    Ok(())
}

/// What this person was told; at least one thing.
fn of<'a>(stage: &'a Stage, who: &str) -> Result<Vec<&'a Answered>, Wrong> {
    let answered: Vec<_> = stage.answered().iter().filter(|a| a.who == who).collect();
    Wrong::unless(!answered.is_empty(), || format!("{who} did nothing in the last step"))?;
    Ok(answered)
}
