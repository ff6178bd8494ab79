"""What loading the plugin adds to what helm-run imports anyway; run: python benchmarks/plugin_start.py

Each figure is the median over fresh processes of the CPU seconds that the imports take.
"""

import statistics
import subprocess
import sys

_PROBE = """
import sys, time
import helm.benchmark.run
start = time.process_time()
import alpaca_eval_suite.helm_plugin
plugin = time.process_time() - start
heavy = [name for name in ("torch", "transformers", "scipy", "pandas", "gradio") if name in sys.modules]
print(start, plugin, ",".join(heavy) or "none")
"""
_RUNS = 7


def main() -> None:
    """Print the two medians, their ratio, and which heavy packages were loaded."""
    rows = [
        subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(_RUNS)
    ]
    helm = statistics.median(float(row[0]) for row in rows)
    plugin = statistics.median(float(row[1]) for row in rows)
    print(f"helm-run's own imports: {helm:.3f} s CPU (median of {_RUNS})")
    print(f"the plugin on top:      {plugin:.4f} s CPU")
    print(f"ratio:                  {plugin / helm:.2%} (aim: under 5 %)")
    print(f"heavy packages loaded:  {rows[0][2]}")


if __name__ == "__main__":
    main()
