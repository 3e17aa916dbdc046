use serde::de::Deserialize;
use serde_json::error::Category;

use super::{Code, Problem};

/// How much of a parser's sentence is given back.
const REASON_MAX_CHARS: usize = 200;

/// Reads one JSON object from outside, or says which field is at fault. Depth
/// is bounded by the parser (128 levels).
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    // A JSON array would be read as a struct's fields in order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Problem::new(Code::BadJson, "This is not one JSON object."));
    }
    // Only what is wrong needs the path to it, and is read again for that.
    serde_json::from_str(text).or_else(|_| read_with_path(text))
}

fn read_with_path<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| refused(error.path().to_string(), &error.into_inner()))?;
    json.end().map_err(|error| bad_json(&error))?;
    Ok(value)
}

fn refused(path: String, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return bad_json(error);
    }
    let reason = reason(error);
    let is_of_parent = reason.starts_with("missing field") || reason.starts_with("duplicate field");
    // A missing or doubled field is reported at its parent; the sentence names it.
    let field = match reason.split('`').nth(1) {
        Some(name) if is_of_parent && path == "." => name.to_owned(),
        Some(name) if is_of_parent => format!("{path}.{name}"),
        _ => path,
    };
    Problem::new(Code::InvalidField, format!("The field `{field}` is not right: {reason}.")).field(field)
}

fn bad_json(error: &serde_json::Error) -> Problem {
    Problem::new(Code::BadJson, format!("This is not JSON: {}.", reason(error)))
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let sentence = text.rsplit_once(" at line ").map_or(&*text, |(sentence, _)| sentence);
    sentence.chars().take(REASON_MAX_CHARS).collect()
}
