//! What is for sale: products, options, variants, pictures, prices, collections.
