"""Those who sign in elsewhere: providers of OpenID Connect, whose word for who somebody is counts here.

A provider is asked by `transport` and known by `provider`; `judging` says which of its tokens hold, `mapping` what who has
one may see; `provisioning` keeps accounts and `people` sessions. Three ways lead in and out: `flow` (a browser signs in),
`bearer` (a token of the provider is shown as it is) and `logout`; `renewing` asks again when a session is refreshed. The
authority for all of this is RFC 9700 (best practice of OAuth 2.0) beside OpenID Connect Core, Discovery and Back-Channel
Logout.
"""
