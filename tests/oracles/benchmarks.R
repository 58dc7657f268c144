# Writes series.csv and benchmarks.csv: R's benchmark methods on data sets that come with R.
# Run as: Rscript tests/oracles/benchmarks.R   (needs the R package forecast)
suppressMessages(library(forecast))
sets <- list(AirPassengers = AirPassengers, USAccDeaths = USAccDeaths, nottem = nottem, ldeaths = ldeaths,
             co2 = co2, UKgas = UKgas, JohnsonJohnson = JohnsonJohnson, Nile = Nile, lynx = lynx, WWWusage = WWWusage,
             LakeHuron = LakeHuron, sunspot.year = window(sunspot.year, 1900, 1988))
version <- paste0("# R ", getRversion(), ", forecast ", packageVersion("forecast"), ": Rscript tests/oracles/benchmarks.R")
values <- do.call(rbind, lapply(names(sets), function(s)
  data.frame(series = s, season = frequency(sets[[s]]), t = seq_along(sets[[s]]), y = as.numeric(sets[[s]]))))
writeLines(version, "tests/oracles/series.csv")
suppressWarnings(write.table(values, "tests/oracles/series.csv", append = TRUE, sep = ",", quote = FALSE, row.names = FALSE))
one <- function(s, method, f) data.frame(series = s, method = method, h = seq_along(f$mean), mean = as.numeric(f$mean),
  lo80 = as.numeric(f$lower[, 1]), hi80 = as.numeric(f$upper[, 1]), lo95 = as.numeric(f$lower[, 2]), hi95 = as.numeric(f$upper[, 2]))
answers <- do.call(rbind, lapply(names(sets), function(s) {
  y <- sets[[s]]
  # 18 steps, more than one season of a monthly series.
  rbind(one(s, "naive", naive(y, h = 18)), one(s, "seasonal_naive", snaive(y, h = 18)),
        one(s, "drift", rwf(y, h = 18, drift = TRUE)), one(s, "theta", thetaf(y, h = 18)))
}))
answers[, 4:8] <- signif(answers[, 4:8], 10)
writeLines(paste0(version, "; tolerances stand in tests/all/oracles.rs"), "tests/oracles/benchmarks.csv")
suppressWarnings(write.table(answers, "tests/oracles/benchmarks.csv", append = TRUE, sep = ",", quote = FALSE, row.names = FALSE))
