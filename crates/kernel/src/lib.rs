//! Ids, money, time and the other words every plane uses. No I/O.
