//! The souk command: everything in one process tree, and what an operator of Souk needs at hand.
