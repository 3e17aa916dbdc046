use std::net::IpAddr;
use std::sync::Arc;

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::AddressKey;

/// Limits how many connections there are, in all and from one address.
pub struct ConnectionLimits {
    all: Arc<Semaphore>,
    by_address: Arc<DashMap<AddressKey, usize>>,
    per_address: usize,
}

/// Counts a connection for as long as it, or a clone of it, exists. An upgraded
/// socket keeps that of its connection. Through a proxy each request has its own.
#[derive(Clone)]
pub struct ConnectionPermit {
    connection: Arc<OwnedSemaphorePermit>,
    #[expect(dead_code, reason = "held for its drop")]
    counted: Option<Arc<AddressCount>>,
}

/// Counts one for an address until it is dropped.
struct AddressCount {
    by_address: Arc<DashMap<AddressKey, usize>>,
    address: AddressKey,
}

/// Which limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// That of all connections.
    Total,
    /// That of this address.
    PerAddress,
}

impl ConnectionLimits {
    pub fn new(all: usize, per_address: usize) -> Self {
        let all = Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS)));
        Self { all, by_address: Arc::default(), per_address }
    }

    /// Admits a connection, which counts for `address` unless it comes from a proxy.
    pub fn admit(&self, address: Option<IpAddr>) -> Result<ConnectionPermit, LimitReached> {
        let permit = self.all.clone().try_acquire_owned().map_err(|_| LimitReached::Total)?;
        let counted = address.map(|address| self.count(address)).transpose()?;
        Ok(ConnectionPermit { connection: Arc::new(permit), counted })
    }

    /// Admits a request on the connection of a proxy, which counts for the address behind it.
    pub fn admit_through(
        &self,
        proxy: &ConnectionPermit,
        address: IpAddr,
    ) -> Result<ConnectionPermit, LimitReached> {
        let counted = self.count(address)?;
        Ok(ConnectionPermit { connection: proxy.connection.clone(), counted: Some(counted) })
    }

    fn count(&self, address: IpAddr) -> Result<Arc<AddressCount>, LimitReached> {
        let address = AddressKey::from(address);
        let mut count = self.by_address.entry(address).or_insert(0);
        if *count >= self.per_address {
            return Err(LimitReached::PerAddress);
        }
        *count += 1;
        drop(count);
        Ok(Arc::new(AddressCount { by_address: self.by_address.clone(), address }))
    }
}

impl Drop for AddressCount {
    fn drop(&mut self) {
        // Remove zeros, or the table would grow with every address ever seen.
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
        let limits = ConnectionLimits::new(3, 2);
        let (one, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let first = limits.admit(Some(one)).unwrap();
        let upgraded = first.clone();
        let _second = limits.admit(Some(one)).unwrap();
        assert_eq!(limits.admit(Some(one)).err(), Some(LimitReached::PerAddress));
        let third = limits.admit(Some(other)).unwrap();
        assert_eq!(limits.admit(Some(other)).err(), Some(LimitReached::Total));
        drop(third);
        drop(first);
        assert_eq!(
            limits.admit(Some(one)).err(),
            Some(LimitReached::PerAddress),
            "the upgrade holds the permit"
        );
        drop(upgraded);
        assert!(limits.admit(Some(one)).is_ok());
        assert!(!limits.by_address.contains_key(&AddressKey::from(other)));
    }

    #[test]
    fn b29_behind_a_proxy_each_address_is_counted_by_its_requests() {
        let limits = ConnectionLimits::new(1, 1);
        let (one, other): (IpAddr, IpAddr) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        let proxy = limits.admit(None).unwrap();
        let first = limits.admit_through(&proxy, one).unwrap();
        assert_eq!(limits.admit_through(&proxy, one).err(), Some(LimitReached::PerAddress));
        assert!(limits.admit_through(&proxy, other).is_ok());
        drop(proxy);
        assert_eq!(
            limits.admit(None).err(),
            Some(LimitReached::Total),
            "the request holds the connection's permit"
        );
        drop(first);
        let proxy = limits.admit(None).unwrap();
        assert!(limits.admit_through(&proxy, one).is_ok());
    }
}
