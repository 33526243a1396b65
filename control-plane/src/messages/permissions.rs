//! Who may read captured mail: anybody, which is why the page exists only where no mail leaves the machine.

souk_access::permissions! {
    /// Read captured mail.
    Capture = "message", "read_captured", Reads;
}
