use crate::config::Config;
use crate::domain::{MAX_SAFE_INTEGER, Seq};

use super::refusal::Refusal;

/// The parameters of a query (WHATWG URL §5.1). What is known is read strictly,
/// what is not known is ignored.
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(raw: &str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    /// A text as it was given; none when it is left out or empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let value = values.next();
        if values.next().is_some() {
            return Err(Refusal::invalid_field(name, "may be given once"));
        }
        // PostgreSQL has no U+0000 in texts, so nothing could match.
        if value.is_some_and(|value| value.contains('\0')) {
            return Err(Refusal::invalid_field(name, "cannot contain U+0000"));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    pub fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.text(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::invalid_field(name, "must be `true` or `false`")),
        }
    }

    /// How many the page may have.
    pub fn limit(&self, config: &Config) -> Result<u32, Refusal> {
        let (default, max) = (config.history_page as u64, config.history_page_max as u64);
        let limit = match self.text("limit")? {
            None => default,
            Some(text) => digits(text).filter(|limit| (1..=max).contains(limit)).ok_or_else(|| {
                Refusal::invalid_field("limit", &format!("must be a number from 1 to {max}"))
            })?,
        };
        Ok(u32::try_from(limit).unwrap_or(u32::MAX))
    }

    /// A place in a log.
    pub fn seq(&self, name: &str) -> Result<Option<Seq>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let seq = digits(text).filter(|seq| *seq <= MAX_SAFE_INTEGER);
        seq.map(Some).ok_or_else(|| Refusal::invalid_field(name, "must be a number from 0 to 2^53 - 1"))
    }
}

/// Decimal digits only: `parse` alone would accept a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Choices;

    #[test]
    fn b16_numbers_are_read_strictly() {
        let seq = |raw: &str| Query::parse(raw).seq("before");
        assert_eq!(seq("").unwrap(), None);
        assert_eq!(seq("before=").unwrap(), None);
        assert_eq!(seq("before=42&other=x").unwrap(), Some(42));
        for bad in [
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
                let given: Vec<_> =
                    query.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
                let text = query.text(name);
                match given[..] {
                    [] | [""] => assert_eq!(text.unwrap(), None),
                    [value] if !value.contains('\0') => assert_eq!(text.unwrap(), Some(value)),
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
        assert!(Query::parse("online=1").flag("online").is_err());
        assert!(Query::parse("q=a%00b").text("q").is_err());
    }
}
