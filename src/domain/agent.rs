/// What somebody logged in with, in words that can be recognised in a list:
/// "Firefox" on "Linux". The `User-Agent` itself is not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The browser, or the name of the program.
    pub browser: Option<String>,
    pub system: Option<String>,
}

/// Browsers by a token that tells them, those first that also carry the tokens
/// of others.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for systems: Android says that it is Linux, an iPad that it is a Mac.
const SYSTEMS: [(&str, &str); 8] = [
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("FreeBSD", "FreeBSD"),
    ("Linux", "Linux"),
];

/// Characters of a program's name that are kept.
const PROGRAM_MAX_CHARS: usize = 24;

impl Agent {
    /// Reads a `User-Agent` (RFC 9110 §10.1.5); what it does not say stays empty.
    pub fn parse(user_agent: &str) -> Self {
        let find = |words: &[(&str, &str)]| {
            words.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, word)| (*word).to_owned())
        };
        let browser = find(&BROWSERS).or_else(|| program(user_agent));
        Self { browser, system: find(&SYSTEMS) }
    }
}

/// The first product of what is no browser: `curl` of `curl/8.5.0`. It is of
/// the program's own making, so plain characters only.
fn program(user_agent: &str) -> Option<String> {
    let product = user_agent.split(['/', ' ']).next()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = !product.is_empty() && product.len() <= PROGRAM_MAX_CHARS && product.chars().all(is_plain);
    // Browsers that are unknown begin like all others do.
    (fits && product != "Mozilla").then(|| product.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs_are_named_in_a_word() {
        for (user_agent, browser, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari",
                "iOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari",
                "macOS",
            ),
            ("curl/8.5.0", "curl", ""),
            ("Mozilla/5.0 (Something; else)", "", ""),
            ("<script>alert(1)</script>", "", ""),
            ("", "", ""),
            (&"a".repeat(5_000), "", ""),
        ] {
            let agent = Agent::parse(user_agent);
            let words = (agent.browser.unwrap_or_default(), agent.system.unwrap_or_default());
            assert_eq!(words, (browser.to_owned(), system.to_owned()), "{user_agent:.80}");
        }
    }
}
