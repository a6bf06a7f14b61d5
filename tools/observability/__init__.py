"""Whether what operators look at shows anything: every query of the dashboard and of the alerts, run by a real Prometheus
that scrapes the running demo platform.

queries     which queries there are, and what their answers mean (pure)
prometheus  a real Prometheus, started and asked
visiting    what people do at the platform meanwhile: sign in, follow, replay
"""
