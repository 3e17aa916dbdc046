//! A user's reports to presence: what the connections watch, and whether all of them
//! are idle.

use super::UserState;
use crate::presence::PresenceMessage;
use crate::protocol::{WATCH_MAX, Watch};

/// At most one report of a user is on its way to presence; changes before it is
/// answered go with the next one. So presence's mailbox holds one report of each user,
/// however often clients change something, and presence serves users in turn.
#[derive(Debug, Default)]
pub struct Reports {
    is_under_way: bool,
    /// Whether the watch may have changed since the last report.
    watch_changed: bool,
    /// Whether the user was last reported as away; `None` before the first report.
    away: Option<bool>,
}

impl UserState {
    /// The watch of a connection has changed.
    pub(super) fn watch_changed(&mut self) {
        self.reports.watch_changed = true;
        self.report();
    }

    /// The presence actor is new: reports may not have reached it.
    pub(super) fn on_reannounce_presence(&mut self) {
        self.reports = Reports { watch_changed: true, ..Reports::default() };
        self.report();
    }

    /// Presence accepts the next report.
    pub(super) fn on_reported(&mut self) {
        self.reports.is_under_way = false;
        self.report();
    }

    /// Reports what has changed, once no report is under way.
    pub(super) fn report(&mut self) {
        let away = self.is_away().filter(|away| self.reports.away != Some(*away));
        let is_due = self.reports.watch_changed || away.is_some();
        if self.reports.is_under_way || !is_due {
            return;
        }
        let watch = self.reports.watch_changed.then(|| self.watch());
        if self.services.presence.cast(PresenceMessage::Report { user: self.id(), watch, away }).is_err() {
            tracing::debug!(user = %self.id(), "presence is being replaced; it will ask again");
            return;
        }
        self.reports = Reports { is_under_way: true, watch_changed: false, away: away.or(self.reports.away) };
    }

    /// The union of what all connections watch.
    fn watch(&self) -> Watch {
        let mut union = Watch::default();
        for attached in &self.connections {
            let watch = attached.connection.watch();
            union.list |= watch.list;
            union.users.extend(&watch.users);
        }
        union.users.sort_unstable();
        union.users.dedup();
        union.users.truncate(WATCH_MAX);
        // Presence keeps it for as long as the user watches.
        union.users.shrink_to_fit();
        union
    }

    /// Whether every connection is idle. One without a `hello` does not count:
    /// reloading an idle page is no activity. Returns `None` if no connection counts.
    fn is_away(&self) -> Option<bool> {
        let mut ready =
            self.connections.iter().filter(|attached| attached.connection.hello_received()).peekable();
        ready.peek()?;
        Some(ready.all(|attached| attached.connection.is_idle()))
    }
}
