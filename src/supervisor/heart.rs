use ractor::{ActorCell, ActorId, ActorRef, Message};

use crate::registry::{Heartbeat, HeartbeatAnswer};

/// A station counts as late after this many beats without an answer.
const LATE_AFTER: u32 = 3;

/// A station is replaced after this many. The longest backlog takes less: a station
/// answers after everything that came before the question.
const STUCK_AFTER: u32 = 10;

/// The state of a station, judged by its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    Well,
    Late,
    Stuck,
}

/// Asks one station whether it still handles its messages. At most one question
/// is in its mailbox.
///
/// Counts beats instead of measuring time: a process that was suspended for an hour
/// has missed nothing.
pub struct Heart {
    cell: ActorCell,
    ask: Box<dyn Fn(Heartbeat) + Send>,
    asked: Option<HeartbeatAnswer>,
    missed: u32,
}

impl Heart {
    /// The heart of `actor`, which is asked with `question`.
    pub fn of<M: Message>(actor: &ActorRef<M>, question: fn(Heartbeat) -> M) -> Self {
        let (cell, actor) = (actor.get_cell(), actor.clone());
        // One that has died is replaced anyway.
        let ask = move |heartbeat| drop(actor.cast(question(heartbeat)));
        Self { cell, ask: Box::new(ask), asked: None, missed: 0 }
    }

    /// Looks for the answer to the last question, and asks again when it has come.
    pub fn beat(&mut self) -> Pulse {
        if self.asked.as_ref().is_none_or(HeartbeatAnswer::has_come) {
            let (heartbeat, answer) = Heartbeat::new();
            (self.ask)(heartbeat);
            self.asked = Some(answer);
            self.missed = 0;
            return Pulse::Well;
        }
        self.missed += 1;
        match self.missed {
            ..LATE_AFTER => Pulse::Well,
            LATE_AFTER..STUCK_AFTER => Pulse::Late,
            STUCK_AFTER.. => Pulse::Stuck,
        }
    }

    pub fn actor(&self) -> ActorId {
        self.cell.get_id()
    }

    /// Ends the actor at its next `await`. One that holds on to its thread never
    /// gets there: it is left alone, and whatever it holds with it.
    pub fn kill(&self) {
        self.cell.kill();
    }
}

#[cfg(test)]
mod tests {
    use ractor::{Actor, ActorProcessingErr};
    use tokio::sync::Semaphore;

    use super::*;

    /// Handles its messages when it is let.
    struct Slow(&'static Semaphore);

    impl Actor for Slow {
        type Msg = Heartbeat;
        type State = ();
        type Arguments = ();

        async fn pre_start(&self, _: ActorRef<Heartbeat>, (): ()) -> Result<(), ActorProcessingErr> {
            Ok(())
        }

        async fn handle(
            &self,
            _: ActorRef<Heartbeat>,
            heartbeat: Heartbeat,
            (): &mut (),
        ) -> Result<(), ActorProcessingErr> {
            self.0.acquire().await?.forget();
            heartbeat.answer();
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_station_that_does_not_answer_is_late_and_then_stuck() {
        let turns: &'static Semaphore = Box::leak(Box::new(Semaphore::new(0)));
        let (actor, task) = Actor::spawn(None, Slow(turns), ()).await.unwrap();
        let mut heart = Heart::of(&actor, std::convert::identity);
        let asked = 1;
        let beats: Vec<Pulse> = (0..asked + STUCK_AFTER).map(|_| heart.beat()).collect();
        assert!(beats[..LATE_AFTER as usize].iter().all(|pulse| *pulse == Pulse::Well));
        assert!(beats[LATE_AFTER as usize..STUCK_AFTER as usize].iter().all(|pulse| *pulse == Pulse::Late));
        assert_eq!(beats[STUCK_AFTER as usize], Pulse::Stuck);
        // One question waits, however often it was looked for the answer.
        turns.add_permits(2);
        while heart.beat() != Pulse::Well {
            tokio::task::yield_now().await;
        }
        while turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(heart.beat(), Pulse::Well);
        heart.kill();
        task.await.unwrap();
    }
}
