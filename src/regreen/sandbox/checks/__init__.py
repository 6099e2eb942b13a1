"""What a problem's checks are to the judge: plans of calls, code beside proxies, and rules of comparison."""
