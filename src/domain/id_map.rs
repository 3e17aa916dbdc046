use std::collections::HashMap;

/// The hash of maps whose keys are ids that the server made: nobody can choose them, so
/// a quick hash is enough. What clients choose keeps the standard library's hash.
pub type IdHasher = foldhash::fast::RandomState;

/// A map by such ids.
pub type IdMap<K, V> = HashMap<K, V, IdHasher>;
