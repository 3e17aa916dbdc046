//! The schema's history: the files in `migrations/`, which are in the program.

use rust_embed::RustEmbed;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

#[derive(RustEmbed)]
#[folder = "migrations"]
struct Files;

/// As `sqlx::migrate!` makes it, which builds sqlx, tokio and TLS a second time,
/// for the compiler's own use.
pub fn migrator() -> Migrator {
    Migrator::with_migrations(Files::iter().filter_map(|name| read(&name)).collect())
}

/// The file `0001_start.sql` is number 1, "start"; a test sees to it that none is
/// left out.
fn read(name: &str) -> Option<Migration> {
    let (number, description) = name.strip_suffix(".sql")?.split_once('_')?;
    let text = String::from_utf8(Files::get(name)?.data.into_owned()).ok()?;
    let no_transaction = text.starts_with("-- no-transaction");
    Some(Migration::new(
        number.parse().ok()?,
        description.replace('_', " ").into(),
        MigrationType::Simple,
        AssertSqlSafe(text).into_sql_str(),
        no_transaction,
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sha2::{Digest, Sha384};

    use super::*;

    /// Databases of earlier versions know each by its number and the hash of its text.
    #[test]
    fn every_file_is_a_step_with_the_hash_of_its_text() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files: Vec<_> = directory.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let migrator = migrator();
        let steps: Vec<_> = migrator.iter().collect();
        assert_eq!(steps.len(), files.len());
        for (step, file) in steps.iter().zip(&files) {
            let (name, text) = (file.file_stem().unwrap().to_str().unwrap(), std::fs::read(file).unwrap());
            assert_eq!(*step.checksum, *Sha384::digest(&text), "{name}");
            assert_eq!(format!("{:04} {}", step.version, step.description), name.replace('_', " "));
        }
    }
}
