"""What HELM calls: scenario, run specs, client, annotator, metric, summarizer. HELM is imported only here."""
