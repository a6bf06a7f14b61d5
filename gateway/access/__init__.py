"""Who somebody is: signed session tokens, and the accounts and sessions behind them."""
