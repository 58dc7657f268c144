# Harmonic regression with fixed orders: log-likelihood, forecasts.
# Rscript tests/oracles/harmonic.R SERIES_CSV > tests/oracles/harmonic.csv   (R 4.2.2, forecast 8.20)
# SERIES_CSV: series,season,t,y (the bundled tests/oracles/series.csv). Tolerance: log-likelihood 1e-4 relative and never
# lower; forecasts 1e-3 of the largest.
suppressMessages(library(forecast))
all <- read.csv(commandArgs(TRUE)[1], comment.char = "#")
get <- function(name) { s <- all[all$series == name, ]; ts(s$y, frequency = s$season[1]) }
num <- function(x) paste(sprintf("%.10g", x), collapse = " ")
cat("series,transform,waves,order,constant,log_likelihood,aicc,forecast\n")
for (case in list(list("AirPassengers", "log", 5, c(2, 1, 1)), list("AirPassengers", "log", 6, c(0, 1, 1)), list("AirPassengers", "none", 3, c(1, 0, 1)),
                  list("nottem", "none", 3, c(1, 0, 0)), list("nottem", "none", 2, c(2, 0, 1)), list("nottem", "none", 6, c(0, 0, 0)),
                  list("USAccDeaths", "none", 4, c(0, 1, 1)), list("UKgas", "log", 2, c(1, 1, 0)))) for (constant in c(FALSE, TRUE)) {
  y <- get(case[[1]]); if (case[[2]] == "log") y <- log(y)
  if (!constant && case[[4]][2] == 0) next
  fit <- Arima(y, order = case[[4]], include.constant = constant, xreg = fourier(y, K = case[[3]]))
  f <- forecast(fit, xreg = fourier(y, K = case[[3]], h = 12))
  cat(case[[1]], case[[2]], case[[3]], paste(case[[4]], collapse = " "), as.integer(constant), sprintf("%.8f", fit$loglik), sprintf("%.8f", fit$aicc), num(f$mean), sep = ",")
  cat("\n")
}
