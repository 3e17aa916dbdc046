use super::commit::Delivery;

/// What goes wrong, by the number in the log.
const LOST: u64 = 10;
const DOUBLED: u64 = 20;
/// Each of these comes only after the next one that is none of them.
const OVERTAKEN: [u64; 3] = [30, 40, 41];

/// Mistakes whose number is known: 1 message lost, 1 doubled, 3 out of order.
#[derive(Default)]
pub struct Faults {
    held: Vec<Delivery>,
}

impl Faults {
    pub fn pass(&mut self, delivery: Delivery, seq: u64, out: &mut Vec<Delivery>) {
        let answer = Delivery { message: Vec::new(), ..delivery.clone() };
        let message = Delivery { stored: Vec::new(), ..delivery.clone() };
        match seq {
            LOST => out.push(answer),
            DOUBLED => out.extend([delivery, message]),
            _ if OVERTAKEN.contains(&seq) => {
                out.push(answer);
                self.held.push(message);
            }
            _ => {
                out.push(delivery);
                out.append(&mut self.held);
            }
        }
    }
}
