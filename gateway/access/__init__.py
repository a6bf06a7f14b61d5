"""Authentication and rights: signed session tokens, and the accounts and sessions behind them."""
