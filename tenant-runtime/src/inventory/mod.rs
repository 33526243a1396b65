//! How much there is: locations, levels, reservations, movements.
