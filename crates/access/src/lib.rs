//! Who is calling, and may they: principals, tokens, passwords, policy, permits.
