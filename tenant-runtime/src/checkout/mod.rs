//! The sale itself: prepare, pay, settle, finalise.
