use std::ffi::OsString;

/// Takes the variables `PG…` out of the environment and gives back their names.
///
/// They are for PostgreSQL's own programs, and every client library reads them:
/// `PGPORT` or `PGOPTIONS` of somebody's shell would reach the private
/// PostgreSQL, or change what `DATABASE_URL` says. sqlx has no way to leave them
/// out.
///
/// To be called at the start of the program, before there is a second thread.
#[allow(unsafe_code, reason = "the environment may only be changed while there is one thread")]
pub fn forget_postgres_variables() -> Vec<String> {
    let names: Vec<OsString> = std::env::vars_os().map(|(name, _)| name).filter(is_postgres).collect();
    for name in &names {
        // SAFETY: nobody else reads the environment now: no thread has been started.
        unsafe { std::env::remove_var(name) };
    }
    names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

fn is_postgres(name: &OsString) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b"PG") && name.get(2).is_some_and(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_of_postgresql_are_forgotten() {
        for name in ["PGPORT", "PGSSLMODE", "PGOPTIONS", "PGAPPNAME", "PGPASSFILE", "PGDATA", "PGHOSTADDR"] {
            assert!(is_postgres(&name.into()), "{name}");
        }
        for name in ["PG", "PG_VERSION", "PGP", "PATH", "TIDINGS_PGPORT", "pgport"] {
            assert_eq!(is_postgres(&name.into()), name == "PGP", "{name}");
        }
    }
}
