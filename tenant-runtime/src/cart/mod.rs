//! What a shopper considers, priced on the server.
