"""The gateway: shows the derived topics to browsers, live and from any offset, and answers REST.

It decides nothing about media: it reads the topics that channels name and the projector's tables, and writes
only notifications, accounts and sessions. Any number of gateways run side by side and share no state.
"""
