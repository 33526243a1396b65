//! What the state is owed on a sale: regions, versioned rates, and the arithmetic of tax lines.
