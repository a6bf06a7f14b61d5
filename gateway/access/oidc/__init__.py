"""Sign-in with a provider of OpenID Connect, whose identities are accepted here.

`transport` makes the requests to a provider and `provider` knows its endpoints; `judging` decides which of its tokens are
valid, `mapping` what their owner may see; `provisioning` keeps accounts and `people` sessions. There are three ways in and
out: `flow` (a browser signs in), `bearer` (a client presents a token of the provider) and `logout`; `renewing` checks with
the provider when a session is refreshed. The authority for all of this is RFC 9700 (best practice of OAuth 2.0) together
with OpenID Connect Core, Discovery and Back-Channel Logout.
"""
