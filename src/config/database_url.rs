//! Connection strings in every form that PostgreSQL's own programs take
//! (manual, section 34.1.1), made into the one form that sqlx reads as they do.
//!
//! sqlx by itself looks up `[::1]` with its brackets, asks for TLS on unix
//! sockets, and logs the values of parameters that it does not know.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use nix::unistd::{User, geteuid};

/// Each parameter once, by PostgreSQL's name for it.
type Parameters = BTreeMap<String, String>;

const SCHEMES: [&str; 2] = ["postgresql://", "postgres://"];

const DEFAULT_PORT: &str = "5432";

/// Where PostgreSQL's programs look for a socket when no host is named: Debian's
/// place, and that of PostgreSQL itself.
const SOCKET_DIRECTORIES: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// What sqlx takes by these names.
const PASSED_ON: [&str; 11] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "options",
    "statement-cache-capacity",
];

/// What has no meaning here, or is so anyway: times and keep-alives are
/// settings, encoding and time zone are fixed.
const WITHOUT_EFFECT: [&str; 15] = [
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslcompression",
    "sslsni",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "load_balance_hosts",
];

/// Values under which a parameter asks for nothing that is not done.
const HARMLESS: [(&str, &[&str]); 6] = [
    ("channel_binding", &["disable", "prefer"]),
    ("gssencmode", &["disable", "prefer"]),
    ("sslnegotiation", &["postgres"]),
    ("ssl_min_protocol_version", &["", "TLSv1", "TLSv1.1", "TLSv1.2"]),
    // A database that cannot be written to is refused at the start.
    ("target_session_attrs", &["any", "read-write", "primary"]),
    ("sslcertmode", &["allow"]),
];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// A URL that sqlx reads as PostgreSQL's programs read `text`; what is wrong is
/// said without any value, as it may be a password.
pub fn canonical(text: &str) -> Result<String, String> {
    let uri = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    let given = match uri {
        Some(rest) => read_uri(rest)?,
        None if text.contains("://") || !text.contains('=') => {
            return Err("it is neither that nor host=…".into());
        }
        None => read_pairs(text)?,
    };
    let given = without_effect_left_out(given)?;
    let settled = settle(given)?;
    let pairs = settled.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    // The name is replaced by the parameter `host`, but for sockets, whose
    // passwords are looked for by it in ~/.pgpass.
    Ok(format!("postgres://localhost/?{query}"))
}

/// `[user[:password]@][host[:port],…][/database][?name=value&…]`
fn read_uri(rest: &str) -> Result<Parameters, String> {
    let mut given = Parameters::new();
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = match address.split_once('/') {
        Some((authority, database)) => (authority, Some(database)),
        None => (address, None),
    };
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };
    if let Some(credentials) = credentials {
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        insert_decoded(&mut given, "user", user)?;
        insert_decoded(&mut given, "password", password.unwrap_or_default())?;
    }
    if hosts.contains(',') {
        return Err(several("host"));
    }
    let (host, port) = host_and_port(hosts)?;
    insert_decoded(&mut given, "host", host)?;
    insert_decoded(&mut given, "port", port)?;
    insert_decoded(&mut given, "dbname", database.unwrap_or_default())?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("a parameter has no value")?;
        if name == "ssl" && value == "true" {
            given.insert("sslmode".into(), "require".into());
        } else {
            given.insert(decoded(name)?, decoded(value)?);
        }
    }
    Ok(given)
}

/// An address of IPv6 stands in brackets.
fn host_and_port(text: &str) -> Result<(&str, &str), String> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    let (host, rest) =
        bracketed.split_once(']').ok_or("the bracket before an address of IPv6 is not closed")?;
    match rest.strip_prefix(':') {
        _ if host.is_empty() => Err("there is no address between the brackets".into()),
        Some(port) => Ok((host, port)),
        None if rest.is_empty() => Ok((host, "")),
        None => Err("after an address of IPv6 a colon and a port are expected".into()),
    }
}

fn insert_decoded(given: &mut Parameters, name: &str, value: &str) -> Result<(), String> {
    if !value.is_empty() {
        given.insert(name.to_owned(), decoded(value)?);
    }
    Ok(())
}

/// A plus is a plus, as in PostgreSQL.
fn decoded(text: &str) -> Result<String, String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or("a percent sign must be written %25")?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    if text.contains('\0') { Err("it contains U+0000".into()) } else { Ok(text) }
}

/// `host=… port=…`, values in quotes where they hold spaces.
fn read_pairs(text: &str) -> Result<Parameters, String> {
    let mut given = Parameters::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("a parameter has no value")?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err("a parameter has no value".into());
        }
        let (value, after) = value_of_pair(after.trim_start())?;
        given.insert(name.to_owned(), value);
        rest = after.trim_start();
    }
    Ok(given)
}

/// The value, and what comes after it. A backslash takes the next character as it is.
fn value_of_pair(text: &str) -> Result<(String, &str), String> {
    let (quoted, text) = match text.strip_prefix('\'') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            character if !quoted && character.is_whitespace() => return Ok((value, &text[at..])),
            character => value.push(character),
        }
    }
    if quoted { Err("a quote is not closed".into()) } else { Ok((value, "")) }
}

fn without_effect_left_out(given: Parameters) -> Result<Parameters, String> {
    let mut left = Parameters::new();
    for (name, value) in given {
        let harmless = HARMLESS.iter().find(|(known, _)| *known == name);
        match &*name {
            known if WITHOUT_EFFECT.contains(&known) => {}
            known if PASSED_ON.contains(&known) || known == "hostaddr" => drop(left.insert(name, value)),
            known if known.starts_with("options[") => drop(left.insert(name, value)),
            _ if harmless.is_some_and(|(_, values)| values.contains(&&*value)) => {}
            // A stranger's parameter is named in one line.
            known => return Err(format!("its parameter {} is not followed here", known.escape_debug())),
        }
    }
    Ok(left)
}

/// Fills in what is not given.
fn settle(mut given: Parameters) -> Result<Parameters, String> {
    given.retain(|_, value| !value.is_empty());
    for name in ["host", "hostaddr", "port"] {
        if given.get(name).is_some_and(|value| value.contains(',')) {
            return Err(several(name));
        }
    }
    let port = given.entry("port".into()).or_insert_with(|| DEFAULT_PORT.into()).trim().to_owned();
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Err("its port is not a number from 1 to 65535".into());
    }
    given.insert("port".into(), port.clone());
    settle_certificates(&mut given)?;
    match given.remove("hostaddr") {
        Some(_)
            if given.contains_key("host")
                && given.get("sslmode").is_some_and(|mode| mode == "verify-full") =>
        {
            return Err("with hostaddr, the name in host cannot be verified: leave hostaddr out".into());
        }
        Some(address) if address.parse::<IpAddr>().is_err() => {
            return Err("its hostaddr is not an address".into());
        }
        Some(address) => drop(given.insert("host".into(), address)),
        None => drop(given.entry("host".into()).or_insert_with(|| default_host(&port))),
    }
    if given["host"].contains(char::is_whitespace) && !given["host"].starts_with('/') {
        return Err("its host contains a space".into());
    }
    if given["host"].starts_with('@') {
        return Err("abstract sockets are not followed here".into());
    }
    if given["host"].starts_with('/') {
        // As in PostgreSQL: there is nobody on the way.
        given.insert("sslmode".into(), "disable".into());
    }
    if !given.contains_key("user") {
        given.insert("user".into(), own_name()?);
    }
    let user = given["user"].clone();
    given.entry("dbname".into()).or_insert(user);
    Ok(given)
}

fn settle_certificates(given: &mut Parameters) -> Result<(), String> {
    // Those of the system are trusted anyway, for names that are verified.
    if given.get("sslrootcert").is_some_and(|certificate| certificate == "system") {
        given.remove("sslrootcert");
        if *given.entry("sslmode".into()).or_insert_with(|| "verify-full".into()) != "verify-full" {
            return Err("with sslrootcert=system its sslmode must be verify-full".into());
        }
    }
    match given.get("sslmode") {
        Some(mode) if !SSL_MODES.contains(&&**mode) => {
            Err(format!("its sslmode must be one of {}", SSL_MODES.join(", ")))
        }
        _ => Ok(()),
    }
}

fn default_host(port: &str) -> String {
    let has_socket = |directory: &&&str| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists();
    SOCKET_DIRECTORIES.iter().find(has_socket).map_or("localhost", |directory| *directory).to_owned()
}

fn own_name() -> Result<String, String> {
    let user = User::from_uid(geteuid()).ok().flatten();
    user.map(|user| user.name).ok_or_else(|| "it names no user".into())
}

fn several(what: &str) -> String {
    format!("it names more than one {what}: name the one that can be written to, or one that leads there")
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::postgres::{PgConnectOptions, PgSslMode};

    use super::*;

    fn read(text: &str) -> PgConnectOptions {
        let url = canonical(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        PgConnectOptions::from_str(&url).unwrap()
    }

    #[test]
    fn what_libpq_takes_leads_where_libpq_goes() {
        for (text, host, port, user, database) in [
            ("postgres://ada@db/chat", "db", 5432, "ada", "chat"),
            ("postgresql://ada:s3cret@db:5433/chat", "db", 5433, "ada", "chat"),
            ("postgres://ada@[::1]:5434/chat", "::1", 5434, "ada", "chat"),
            ("postgres://ada@[2001:db8::7]/chat", "2001:db8::7", 5432, "ada", "chat"),
            ("postgres://ada@[fe80::1%25eth0]/chat", "fe80::1%eth0", 5432, "ada", "chat"),
            ("postgres://ada@db", "db", 5432, "ada", "ada"),
            ("postgres://ada@db/?port=6000&dbname=chat", "db", 6000, "ada", "chat"),
            ("postgres:///chat?host=db&user=ada", "db", 5432, "ada", "chat"),
            ("postgres://ada@/chat?hostaddr=192.0.2.7", "192.0.2.7", 5432, "ada", "chat"),
            ("postgres://a%40b:p%3Aw@db/%C3%BC%20x", "db", 5432, "a@b", "ü x"),
            (
                "postgres://ada@db/chat?connect_timeout=3&keepalives=1&application_name=x",
                "db",
                5432,
                "ada",
                "chat",
            ),
            ("host=db port=5433 user=ada dbname=chat", "db", 5433, "ada", "chat"),
            (r"host = db user='a\'da x' dbname=ch\at password=''", "db", 5432, "a'da x", "chat"),
        ] {
            let read = read(text);
            let found = (read.get_host(), read.get_port(), read.get_username(), read.get_database());
            assert_eq!(found, (host, port, user, Some(database)), "{text}");
            assert_eq!(read.get_socket(), None, "{text}");
        }
    }

    #[test]
    fn a_directory_is_a_socket_without_tls() {
        for text in [
            "postgres://ada@%2Frun%2Fpg:5433/chat",
            "postgres://ada@/chat?host=/run/pg&port=5433",
            "postgres:///chat?host=%2Frun%2Fpg&port=5433&user=ada&sslmode=verify-full",
            "host=/run/pg port=5433 user=ada dbname=chat",
        ] {
            let read = read(text);
            let found = (read.get_socket().and_then(|socket| socket.to_str()), read.get_port());
            assert_eq!(found, (Some("/run/pg"), 5433), "{text}");
            assert!(matches!(read.get_ssl_mode(), PgSslMode::Disable), "{text}");
        }
    }

    #[test]
    fn what_is_secret_or_asked_for_is_kept_to_the_letter() {
        let url =
            canonical("postgres://ada:a+b%25%2F&@db/chat?options=-c%20geqo%3Doff&sslmode=require").unwrap();
        let read = PgConnectOptions::from_str(&url).unwrap();
        assert!(url.contains("password=a%2Bb%25%2F%26"), "{url}");
        assert_eq!(read.get_options(), Some("-c geqo=off"));
        assert!(matches!(read.get_ssl_mode(), PgSslMode::Require));
        assert!(canonical("postgres://ada@db/?ssl=true").unwrap().contains("sslmode=require"));
        let system = canonical("postgres://ada@db/?sslrootcert=system").unwrap();
        assert!(system.contains("sslmode=verify-full") && !system.contains("sslrootcert"), "{system}");
    }

    #[test]
    fn what_is_not_followed_is_refused_without_its_value() {
        for (text, why) in [
            ("postgres://ada:s3cret@one,two/chat", "more than one host"),
            ("postgres://ada:s3cret@db/chat?port=1,2", "more than one port"),
            ("postgres://ada@[::1/chat", "bracket"),
            ("postgres://ada@[]/chat", "no address"),
            ("postgres://ada@[::1]x/chat", "colon"),
            ("postgres://ada@d b/chat", "space"),
            ("postgres://ada@db:0/chat", "port"),
            ("postgres://ada@db:s3cret/chat", "port"),
            ("postgres://ada:s3cret%@db/chat", "%25"),
            ("postgres://ada:%00s3cret@db/chat", "U+0000"),
            ("postgres://ada@db/chat?sslpassword=s3cret", "sslpassword is not followed"),
            ("postgres://ada@db/chat?service=s3cret", "service is not followed"),
            ("postgres://ada@db/chat?channel_binding=require", "channel_binding"),
            ("postgres://ada@db/chat?target_session_attrs=standby", "target_session_attrs"),
            ("postgres://ada@db/chat?sslmode=s3cret", "sslmode"),
            ("postgres://ada@db/chat?sslrootcert=system&sslmode=require", "verify-full"),
            ("postgres://ada@db/chat?hostaddr=s3cret", "hostaddr"),
            ("postgres://ada@db/chat?hostaddr=192.0.2.1&sslmode=verify-full", "verified"),
            ("host='s3cret", "quote"),
            ("s3cret host=db", "no value"),
            ("mysql://s3cret@db/chat?a=b", "neither"),
            ("s3cret", "neither"),
        ] {
            let error = canonical(text).expect_err(text);
            assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
            assert_eq!(error.lines().count(), 1);
        }
    }
}
