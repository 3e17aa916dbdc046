//! One-time upgrades: what a newer server derives from users that older ones stored.

use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::domain::{name_key, search_terms, stored_skeleton};

/// Users read by one statement.
const AT_ONCE: i64 = 1_000;

const IS_DONE: &str = "SELECT EXISTS (SELECT FROM upgrades WHERE name = $1)";

// Another server may do the same.
const DONE: &str = "INSERT INTO upgrades (name) VALUES ($1) ON CONFLICT DO NOTHING";

const NEXT: &str = "SELECT id, name FROM users WHERE id > $1 ORDER BY id LIMIT $2";

/// A value that is derived from the name of each user and stored.
struct Upgrade {
    name: &'static str,
    /// The values for a name: any number of them.
    texts_of: fn(&str) -> Vec<String>,
    /// Stores them: `$1` are users, `$2` a text of each.
    store: &'static str,
}

const ALL: [Upgrade; 2] = [
    Upgrade {
        name: "people are found by any word of their name",
        // The stored key is the same, as long as `name_key` does not change: a version that
        // changes it has to upgrade the keys before this.
        texts_of: |name| search_terms(&name_key(name)),
        store: "INSERT INTO search_terms (user_id, term) SELECT * FROM unnest($1::uuid[], $2::text[]) \
            ON CONFLICT DO NOTHING",
    },
    // If the new skeletons of two users are equal, both keep their names. One of them
    // keeps its old skeleton, which no new name can have.
    Upgrade {
        name: "look-alikes without separators",
        texts_of: |name| vec![stored_skeleton(name)],
        store: "
UPDATE users u SET look_alike = n.look_alike
FROM (
    SELECT DISTINCT ON (look_alike) * FROM unnest($1::uuid[], $2::text[]) AS a (id, look_alike)
    ORDER BY look_alike, id
) n
WHERE u.id = n.id AND u.look_alike <> n.look_alike
    AND NOT EXISTS (SELECT FROM users o WHERE o.look_alike = n.look_alike)",
    },
];

/// Upgrades the users that older versions stored: each upgrade all or nothing.
pub(super) async fn run(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for upgrade in &ALL {
        upgrade.run(connection).await?;
    }
    Ok(())
}

impl Upgrade {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if sqlx::query_scalar(IS_DONE).bind(self.name).fetch_one(&mut *connection).await? {
            return Ok(());
        }
        let mut transaction = connection.begin().await?;
        let mut last = Uuid::nil();
        loop {
            let users: Vec<(Uuid, String)> =
                sqlx::query_as(NEXT).bind(last).bind(AT_ONCE).fetch_all(&mut *transaction).await?;
            let Some((id, _)) = users.last() else { break };
            last = *id;
            let (ids, texts): (Vec<Uuid>, Vec<String>) = users
                .iter()
                .flat_map(|(id, name)| (self.texts_of)(name).into_iter().map(|text| (*id, text)))
                .unzip();
            sqlx::query(self.store).bind(ids).bind(texts).execute(&mut *transaction).await?;
        }
        sqlx::query(DONE).bind(self.name).execute(&mut *transaction).await?;
        transaction.commit().await
    }
}
