"""Checks that dashboard and alerts work: every query of both is run by a real Prometheus that scrapes the running demo
platform.

queries     the queries, and what their results mean (pure)
prometheus  starts and queries a real Prometheus
visiting    simulates users meanwhile: sign in, follow, replay
"""
