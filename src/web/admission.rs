use std::net::IpAddr;
use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::AddressKey;

/// How many connections there may be, in all and from one address.
pub struct Admission {
    all: Arc<Semaphore>,
    by_address: Arc<DashMap<AddressKey, usize>>,
    per_address: usize,
}

/// A connection's place among them: held until it has ended, and by a socket
/// on through the upgrade.
#[derive(Clone)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] Arc<Held>);

struct Held {
    _permit: OwnedSemaphorePermit,
    by_address: Arc<DashMap<AddressKey, usize>>,
    address: AddressKey,
}

/// Which bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There is no place for anybody.
    All,
    /// This address has all that it may have.
    Address,
}

impl Admission {
    pub fn new(all: usize, per_address: usize) -> Self {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Self { all, by_address: Arc::default(), per_address }
    }

    pub fn admit(&self, address: IpAddr) -> Result<Place, Full> {
        let address = AddressKey::from(address);
        let permit = self.all.clone().try_acquire_owned().map_err(|_| Full::All)?;
        let mut count = self.by_address.entry(address).or_insert(0);
        if *count >= self.per_address {
            return Err(Full::Address);
        }
        *count += 1;
        drop(count);
        Ok(Place(Arc::new(Held { _permit: permit, by_address: self.by_address.clone(), address })))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Zero must go: the table would grow with every address ever seen.
        self.by_address.remove_if_mut(&self.address, |_, count| {
            *count -= 1;
            *count == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b29_one_address_does_not_take_the_places_of_others() {
        let admission = Admission::new(3, 2);
        let (one, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = admission.admit(one).unwrap();
        let upgraded = first.clone();
        let _second = admission.admit(one).unwrap();
        assert_eq!(admission.admit(one).err(), Some(Full::Address));
        let third = admission.admit(other).unwrap();
        assert_eq!(admission.admit(other).err(), Some(Full::All));
        drop(third);
        drop(first);
        assert_eq!(admission.admit(one).err(), Some(Full::Address), "the upgrade holds the place");
        drop(upgraded);
        assert!(admission.admit(one).is_ok());
        assert!(!admission.by_address.contains_key(&AddressKey::from(other)));
    }
}
