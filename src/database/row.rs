//! Rows as structs.

use uuid::Uuid;

use crate::domain::{DirectPair, Members, UserId};

/// A struct that is read from a row by the names of its columns; what begins
/// with `..` is another such struct, of the same row.
///
/// sqlx has a derive for it, which builds sqlx, tokio and TLS a second time, for
/// the compiler's own use: a minute of CPU for a handful of structs.
macro_rules! row {
    (
        $(#[$about:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$doc:meta])* $column:ident: $kind:ty,)*
            $(..$part:ident: $part_kind:ty,)?
        }
    ) => {
        $(#[$about])*
        $visibility struct $name {
            $($(#[$doc])* $column: $kind,)*
            $($part: $part_kind,)?
        }

        impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($column: sqlx::Row::try_get(row, stringify!($column))?,)*
                    $($part: sqlx::FromRow::from_row(row)?,)?
                })
            }
        }
    };
}

row! {
    /// Whose conversation it is: two users, or nobody's for a group.
    #[derive(Default)]
    pub(super) struct PairRow {
        direct_low: Option<Uuid>,
        direct_high: Option<Uuid>,
    }
}

impl PairRow {
    pub fn members(&self) -> Members {
        match (self.direct_low, self.direct_high) {
            (Some(low), Some(high)) => Members::Direct(DirectPair::new(UserId(low), UserId(high))),
            _ => Members::Group,
        }
    }
}

pub(super) use row;
