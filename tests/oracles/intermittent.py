# Writes intermittent.csv: the methods for intermittent demand by statsforecast.
# Run as: python tests/oracles/intermittent.py   (needs statsforecast 2.1.1). The series are generated here.
import numpy as np
import statsforecast
from statsforecast.models import ADIDA, IMAPA, TSB, CrostonClassic, CrostonOptimized, CrostonSBA

random = np.random.default_rng(7)
MODELS = {
    "croston(alpha=0.1)": CrostonClassic(),
    "sba(alpha=0.1)": CrostonSBA(),
    "croston": CrostonOptimized(),
    "tsb(alpha=0.1, beta=0.2)": TSB(alpha_d=0.1, alpha_p=0.2),
    "adida": ADIDA(),
    "imapa": IMAPA(),
}
with open("tests/oracles/intermittent.csv", "w") as out:
    out.write(f"# statsforecast {statsforecast.__version__}: python tests/oracles/intermittent.py; the forecast of each step; tolerances stand\n"
              "# beside the test\n")
    out.write("values,model,forecast\n")
    for k in range(40):
        n, chance, size = random.integers(12, 90), random.uniform(0.05, 0.9), random.choice([1, 3, 40])
        y = np.where(random.uniform(size=n) < chance, 1 + random.poisson(size, n), 0).astype(float)
        if (y > 0).sum() < 2:
            continue
        for label, model in MODELS.items():
            mean = model.forecast(y=y, h=1)["mean"][0]
            out.write(f'{" ".join(str(int(v)) for v in y)},"{label}",{mean:.10g}\n'.replace('"', "").replace(", beta", "; beta"))
