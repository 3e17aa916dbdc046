//! What an operator watches: every metric, named and described in one place.
//! Rendered at `/metrics` in the Prometheus text format.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::protocol::Code;

const SOCKETS: &str = "tidings_sockets";
const USERS_ONLINE: &str = "tidings_users_online";
const MESSAGES: &str = "tidings_messages_total";
const BATCH_SIZE: &str = "tidings_batch_size";
const COMMIT_SECONDS: &str = "tidings_commit_seconds";
const PERSISTENCE_QUEUE: &str = "tidings_persistence_queue";
const OUTBOUND_DROPPED: &str = "tidings_outbound_dropped_total";
const CLOSES: &str = "tidings_closes_total";
const RESTARTS: &str = "tidings_restarts_total";
const PUSHES: &str = "tidings_pushes_total";
const REFUSALS: &str = "tidings_refusals_total";
const HTTP_REQUESTS: &str = "tidings_http_requests_total";
const LOG_LINES_LOST: &str = "tidings_log_lines_lost_total";

const BATCH_BUCKETS: [f64; 8] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0];
const COMMIT_BUCKETS: [f64; 9] = [0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// How often recorded values are gathered when nobody asks for them, so that
/// they do not pile up.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts recording, once per process; what is recorded before is lost.
pub fn install() {
    recorder();
}

/// Everything in the Prometheus text format; none when another recorder had
/// been installed in this process.
pub fn render() -> Option<String> {
    recorder().map(PrometheusHandle::render)
}

/// Gathers what was recorded, for as long as it is polled.
pub async fn upkeep() {
    let mut tick = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        tick.tick().await;
        if let Some(handle) = recorder() {
            handle.run_upkeep();
        }
    }
}

fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER.get_or_init(build).as_ref()
}

fn build() -> Option<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(BATCH_SIZE.into()), &BATCH_BUCKETS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full(COMMIT_SECONDS.into()), &COMMIT_BUCKETS)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .inspect_err(|error| tracing::error!(%error, "metrics are not recorded"))
        .ok()?;
    describe_gauge!(SOCKETS, "Open WebSockets of visible users");
    describe_gauge!(USERS_ONLINE, "Visible users with at least one socket, or within the grace after it");
    describe_counter!(MESSAGES, "Messages committed, without duplicates");
    describe_histogram!(BATCH_SIZE, "Submissions in one batch");
    describe_histogram!(COMMIT_SECONDS, "Seconds from the start of a batch to its commit");
    describe_gauge!(PERSISTENCE_QUEUE, "Submissions that wait to be stored");
    describe_counter!(OUTBOUND_DROPPED, "Ephemeral frames dropped from queues half full");
    describe_counter!(CLOSES, "WebSockets closed by the server, by close code");
    describe_counter!(RESTARTS, "Actors restarted, by station");
    describe_counter!(PUSHES, "Web pushes to visible users, by what became of them");
    describe_counter!(REFUSALS, "Requests and frames refused, by code");
    describe_counter!(HTTP_REQUESTS, "HTTP requests answered, by status");
    describe_counter!(LOG_LINES_LOST, "Lines of the log that could not be written");
    Some(handle)
}

/// How many sockets visible users have; set whenever the metrics are read. The
/// sockets of invisible users would tell that they are here.
pub fn sockets(count: usize) {
    gauge!(SOCKETS).set(as_f64(count));
}

/// How many users count as online now.
pub fn users_online(count: usize) {
    gauge!(USERS_ONLINE).set(as_f64(count));
}

/// A batch was committed: `requests` in it, `stored` of them new.
pub fn batch_committed(requests: usize, stored: usize, took: Duration) {
    histogram!(BATCH_SIZE).record(as_f64(requests));
    histogram!(COMMIT_SECONDS).record(took);
    counter!(MESSAGES).increment(stored as u64);
}

/// How many sends wait to be stored; read whenever somebody asks.
pub fn persistence_queue(length: usize) {
    gauge!(PERSISTENCE_QUEUE).set(as_f64(length));
}

/// An ephemeral frame was dropped from a queue that was half full.
pub fn outbound_dropped() {
    counter!(OUTBOUND_DROPPED).increment(1);
}

/// The server closed a WebSocket.
pub fn closed(code: u16) {
    counter!(CLOSES, "code" => code.to_string()).increment(1);
}

/// An actor of the station `actor` was restarted.
pub fn restarted(actor: &'static str) {
    counter!(RESTARTS, "actor" => actor).increment(1);
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// The push service has taken it.
    Sent,
    /// The push service knows no such subscription any more.
    Gone,
    /// The push service will not take it, or must not be asked.
    Refused,
    /// The push service was not reached, or could not take it.
    Failed,
    /// There was no room for it.
    Dropped,
    /// Its reader had a socket by then.
    Returned,
    /// A newer one takes its place.
    Superseded,
}

/// A push came to its end.
pub fn pushed(outcome: PushOutcome) {
    let outcome = match outcome {
        PushOutcome::Sent => "sent",
        PushOutcome::Gone => "gone",
        PushOutcome::Refused => "refused",
        PushOutcome::Failed => "failed",
        PushOutcome::Dropped => "dropped",
        PushOutcome::Returned => "returned",
        PushOutcome::Superseded => "superseded",
    };
    counter!(PUSHES, "outcome" => outcome).increment(1);
}

/// A request or a frame was refused.
pub fn refused(code: Code) {
    counter!(REFUSALS, "code" => name_of(code)).increment(1);
}

/// An HTTP request was answered.
pub fn http_request(status: u16) {
    counter!(HTTP_REQUESTS, "status" => status.to_string()).increment(1);
}

/// A line of the log was lost: what it is written to takes nothing.
pub fn log_line_lost() {
    counter!(LOG_LINES_LOST).increment(1);
}

/// A code as it is on the wire.
fn name_of(code: Code) -> String {
    let quoted = serde_json::to_string(&code).expect("a unit variant is a string");
    quoted.trim_matches('"').to_owned()
}

fn as_f64(count: usize) -> f64 {
    // Exact below 2^53.
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_rendered() {
        install();
        sockets(7);
        batch_committed(5, 4, Duration::from_millis(2));
        closed(4008);
        restarted("user");
        refused(Code::NameTaken);
        pushed(PushOutcome::Gone);
        http_request(200);
        let text = render().unwrap();
        for line in [
            "tidings_sockets 7",
            "tidings_messages_total 4",
            "tidings_batch_size_bucket{le=\"10\"} 1",
            "tidings_commit_seconds_count 1",
            "tidings_closes_total{code=\"4008\"} 1",
            "tidings_restarts_total{actor=\"user\"} 1",
            "tidings_pushes_total{outcome=\"gone\"} 1",
            "tidings_refusals_total{code=\"name_taken\"} 1",
            "tidings_http_requests_total{status=\"200\"} 1",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }
}
