use std::collections::HashMap;

/// The hash of maps whose keys begin with ids that the server made: nobody can choose
/// them, so a quick hash with a random seed is enough.
pub type IdHasher = foldhash::fast::RandomState;

/// A map by such ids.
pub type IdMap<K, V> = HashMap<K, V, IdHasher>;
