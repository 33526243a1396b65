//! What delivery costs: zones and rates, and which of them fit a destination.
