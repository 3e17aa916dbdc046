use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::config::Config;
use crate::domain::{MAX_SAFE_INTEGER, Seq};

use super::api_error::ApiError;

/// The parameters of a query (WHATWG URL §5.1). Known ones are parsed strictly, unknown
/// ones ignored.
pub struct Query(Vec<(String, Value)>);

/// The value of a parameter. `None` if it is not UTF-8, which the standard would turn
/// into a different text by replacing it with U+FFFD.
type Value = Option<String>;

impl Query {
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        // None of our parameters has a name that is not UTF-8.
        Self(pairs.filter_map(|(name, value)| Some((decode(name)?, decode(value)))).collect())
    }

    /// A text as it was given. `None` if it is missing or empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        Ok(self.given(name)?.filter(|value| !value.is_empty()))
    }

    /// The value of a parameter. Only a text may be empty.
    fn given(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(ApiError::invalid_field(name, "may be given only once"));
        }
        let Some(value) = value else {
            return Err(ApiError::invalid_field(name, "must be UTF-8"));
        };
        // PostgreSQL has no U+0000 in texts, so nothing could match.
        if value.contains('\0') {
            return Err(ApiError::invalid_field(name, "can't contain U+0000"));
        }
        Ok(Some(value))
    }

    /// Where the previous page ended.
    pub fn cursor(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.given(name)? {
            Some("") => Err(not_a_cursor(name)),
            cursor => Ok(cursor),
        }
    }

    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.given(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ApiError::invalid_field(name, "must be `true` or `false`")),
        }
    }

    /// The most items that the page may have.
    pub fn limit(&self, config: &Config) -> Result<u32, ApiError> {
        let (default, max) = (config.history_page as u64, config.history_page_max as u64);
        let limit = match self.given("limit")? {
            None => default,
            Some(text) => digits(text).filter(|limit| (1..=max).contains(limit)).ok_or_else(|| {
                ApiError::invalid_field("limit", &format!("must be a number from 1 to {max}"))
            })?,
        };
        Ok(u32::try_from(limit).unwrap_or(u32::MAX))
    }

    /// A position in a log.
    pub fn seq(&self, name: &str) -> Result<Option<Seq>, ApiError> {
        let Some(text) = self.given(name)? else { return Ok(None) };
        let seq = digits(text).filter(|seq| *seq <= MAX_SAFE_INTEGER);
        seq.map(Some).ok_or_else(|| ApiError::invalid_field(name, "must be a number from 0 to 2^53 - 1"))
    }
}

/// A cursor is what a response had as `next`. Clients do not look into it.
pub fn not_a_cursor(name: &str) -> ApiError {
    ApiError::invalid_field(name, "must be the `next` of an earlier answer")
}

/// Decodes the encoding of forms. What is not an escape stays as it is.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// Decimal digits only: `parse` alone would accept a sign.
fn digits(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn b16_numbers_are_read_strictly() {
        let seq = |raw: &str| Query::parse(raw).seq("before");
        assert_eq!(seq("").unwrap(), None);
        assert_eq!(seq("before=42&other=x").unwrap(), Some(42));
        for bad in [
            "before=",
            "before",
            "before=%ff",
            "before=-1",
            "before=%2B1",
            "before=1e3",
            "before=9007199254740992",
            "before=99999999999999999999999",
            "before=1&before=2",
            "before='%20OR%201=1",
            "before=%00",
        ] {
            assert!(seq(bad).is_err(), "{bad}");
        }
    }

    const SEEDS: [&str; 5] = [
        "q=ada&online=true&limit=50",
        "before=1795000000123456.0199a3b0-0000-7000-8000-000000000001",
        "after=9007199254740991",
        "limit=100&before=0",
        "q=%F0%9F%98%80+%25_&after=ada",
    ];
    const TOKENS: [&str; 20] = [
        "&",
        "=",
        "%",
        "+",
        "%00",
        "%ff",
        "%C0%AF",
        "%2B",
        "-1",
        "1e9",
        "limit=",
        "before=",
        "after=",
        "q=",
        "online=",
        "true",
        "18446744073709551616",
        "007",
        "'%20OR%201=1--",
        "[]",
    ];

    #[test]
    fn b16_a_query_is_read_strictly_whatever_it_is() {
        let (config, _) = Config::from_pairs([]).unwrap();
        bolero::check!().for_each(|bytes: &[u8]| {
            let raw = Choices::new(bytes).text(&SEEDS, &TOKENS);
            let query = Query::parse(&raw);
            for name in ["q", "before", "after", "limit", "online"] {
                // Another reader of forms, which puts U+FFFD for what is not UTF-8.
                let given: Vec<_> = form_urlencoded::parse(raw.as_bytes())
                    .filter_map(|(key, value)| (key == name).then_some(value))
                    .collect();
                let text = query.text(name);
                match &given[..] {
                    [] => assert_eq!(text.unwrap(), None),
                    [value] if value.is_empty() => assert_eq!(text.unwrap(), None),
                    [value] if value.contains('\u{fffd}') => {
                        assert!(text.is_err() || text.unwrap() == Some(value), "{raw}");
                    }
                    [value] if !value.contains('\0') => assert_eq!(text.unwrap(), Some(&**value)),
                    _ => assert!(text.is_err(), "{raw}"),
                }
                if let (Ok(Some(seq)), [value]) = (query.seq(name), &given[..]) {
                    assert!(
                        seq <= MAX_SAFE_INTEGER
                            && value.trim_start_matches('0') == seq.to_string().trim_start_matches('0'),
                        "{raw}"
                    );
                }
            }
            if let Ok(limit) = query.limit(&config) {
                assert!((1..=100).contains(&limit), "{raw}");
            }
        });
    }

    #[test]
    fn b20_a_text_is_what_was_typed() {
        let query = Query::parse("q=50%25_o%27+x&online=true");
        assert_eq!(query.text("q").unwrap(), Some("50%_o' x"));
        assert!(query.flag("online").unwrap());
        for bad in ["online=1", "online=", "online"] {
            assert!(Query::parse(bad).flag("online").is_err(), "{bad}");
        }
        assert_eq!(Query::parse("q=&online=true").text("q").unwrap(), None);
        assert_eq!(Query::parse("q=100%&%ff=1").text("q").unwrap(), Some("100%"));
        for bad in ["q=%ff", "q=a%C0%AF", "q=%ED%A0%80"] {
            assert!(Query::parse(bad).text("q").is_err(), "{bad}");
        }
        assert!(Query::parse("q=a%00b").text("q").is_err());
    }
}
