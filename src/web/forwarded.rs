//! The grammar of `Forwarded` (RFC 7239 §4), without its meaning.

/// What one proxy says about the request that it received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// `for`.
    pub source: Option<String>,
    /// `proto`.
    pub protocol: Option<String>,
}

/// Parses the elements of one line, in order. Returns `None` if anything breaks the grammar.
pub fn parse(line: &str) -> Option<Vec<Element>> {
    let mut rest = line;
    let mut elements = vec![Element::default()];
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.starts_with(is_token) {
            let (name, after) = rest.split_at(rest.find(|c| !is_token(c))?);
            let (value, after) = value(after.strip_prefix('=')?)?;
            elements.last_mut()?.set(name, value)?;
            rest = after.trim_start_matches([' ', '\t']);
        }
        let mut characters = rest.chars();
        match characters.next() {
            None => return Some(elements),
            Some(';') => {}
            Some(',') => elements.push(Element::default()),
            Some(_) => return None,
        }
        rest = characters.as_str();
    }
}

impl Element {
    /// Returns `None` if the field is set already.
    fn set(&mut self, name: &str, value: String) -> Option<()> {
        let field = if name.eq_ignore_ascii_case("for") {
            &mut self.source
        } else if name.eq_ignore_ascii_case("proto") {
            &mut self.protocol
        } else {
            return Some(());
        };
        field.replace(value).is_none().then_some(())
    }
}

/// Parses a token or a quoted string. Returns it with the rest of the text.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            other => value.push(other),
        }
    }
}

/// RFC 9110 §5.6.2, and also the colon and brackets of addresses, which many proxies do
/// not quote as they should.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:[]".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(source: Option<&str>, protocol: Option<&str>) -> Element {
        Element { source: source.map(str::to_owned), protocol: protocol.map(str::to_owned) }
    }

    #[test]
    fn a_line_is_a_list_of_elements_of_pairs() {
        for (line, elements) in [
            ("for=192.0.2.1", vec![element(Some("192.0.2.1"), None)]),
            ("by=a; FOR=b ;proto=http;host=\"c,d;e\"", vec![element(Some("b"), Some("http"))]),
            ("for=\"[::1]:80\", for=_x", vec![element(Some("[::1]:80"), None), element(Some("_x"), None)]),
            ("for=\"a\\\"b\"", vec![element(Some("a\"b"), None)]),
            ("for=a,,proto=b", vec![element(Some("a"), None), element(None, None), element(None, Some("b"))]),
        ] {
            assert_eq!(parse(line), Some(elements), "{line}");
        }
    }

    #[test]
    fn what_breaks_the_grammar_is_not_read_at_all() {
        for line in [
            "for",
            "for=",
            "For = x",
            "=x",
            "for=\"x",
            "for=x y",
            "for=a;for=b",
            "for=\"x\"y",
            "for=x\\",
            "for=ü",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
