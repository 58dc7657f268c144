# Fixed and automatic ARIMA models: log-likelihoods, coefficients, forecasts.
# Rscript tests/oracles/arima.R SERIES_CSV > tests/oracles/arima.csv   (R 4.2.2, forecast 8.20)
# SERIES_CSV: series,season,t,y (the bundled tests/oracles/series.csv). Tolerance: log-likelihood 1e-4 relative and never lower;
# forecasts 1e-3 relative where the log-likelihoods agree to 1e-3.
suppressMessages(library(forecast))
all <- read.csv(commandArgs(TRUE)[1], comment.char = "#")
get <- function(name) { s <- all[all$series == name, ]; ts(s$y, frequency = s$season[1]) }
cat("case,series,season,order,seasonal,constant,transform,log_likelihood,aicc,sigma2,coefficients,forecast,sd\n")
line <- function(case, name, fit, transform, constant, xreg = NULL) {
  f <- tryCatch(if (is.null(xreg)) forecast(fit, h = 12, level = 95) else forecast(fit, h = 12, level = 95, xreg = xreg), error = function(e) NULL)
  if (is.null(f)) { message("no forecast: ", name, " ", paste(fit$arma, collapse = " "), " ", transform, " ", constant); return() }
  sd <- (f$upper[, 1] - f$mean) / qnorm(0.975)
  num <- function(x) paste(sprintf("%.10g", x), collapse = " ")
  cat(case, name, frequency(fit$x), paste(fit$arma[c(1, 6, 2)], collapse = " "), paste(fit$arma[c(3, 7, 4)], collapse = " "),
      constant, transform, sprintf("%.8f", fit$loglik), sprintf("%.8f", fit$aicc), sprintf("%.10g", fit$sigma2), num(coef(fit)), num(f$mean), num(sd), sep = ",")
  cat("\n")
}
specs <- list(
  AirPassengers = list(list(c(2,1,1),c(0,1,0)), list(c(0,1,1),c(0,1,1)), list(c(1,1,0),c(1,1,0)), list(c(2,0,1),c(1,1,1)), list(c(1,0,0),c(0,1,1))),
  USAccDeaths = list(list(c(0,1,1),c(0,1,1)), list(c(1,0,0),c(1,1,0)), list(c(2,0,2),c(0,1,1))),
  nottem = list(list(c(1,0,0),c(2,1,0)), list(c(1,0,2),c(1,1,2)), list(c(2,0,1),c(0,1,1)), list(c(1,0,1),c(1,0,1))),
  ldeaths = list(list(c(1,0,0),c(1,1,0)), list(c(0,0,1),c(0,1,1)), list(c(2,0,0),c(1,0,0))),
  UKgas = list(list(c(0,1,1),c(0,1,1)), list(c(2,1,1),c(1,1,1))), JohnsonJohnson = list(list(c(1,1,1),c(1,1,0)), list(c(0,1,2),c(0,1,1))),
  co2 = list(list(c(0,1,1),c(0,1,1))),
  lynx = list(list(c(2,0,0),c(0,0,0)), list(c(4,0,2),c(0,0,0)), list(c(11,0,0),c(0,0,0))), WWWusage = list(list(c(1,1,1),c(0,0,0)), list(c(3,1,0),c(0,0,0)), list(c(0,2,2),c(0,0,0))),
  Nile = list(list(c(1,1,1),c(0,0,0)), list(c(0,1,1),c(0,0,0)), list(c(1,0,1),c(0,0,0)), list(c(0,0,3),c(0,0,0))), LakeHuron = list(list(c(2,0,0),c(0,0,0)), list(c(1,1,2),c(0,0,0))),
  sunspot.year = list(list(c(2,0,1),c(0,0,0)), list(c(9,0,0),c(0,0,0)))
)
k <- 0
for (name in names(specs)) for (spec in specs[[name]]) for (constant in c(FALSE, TRUE)) for (transform in c("none", "log", "gaps", "regressor")) {
  y <- get(name); d <- spec[[1]][2] + spec[[2]][2]
  if (constant && d > 1) next
  k <- k + 1
  # Every combination would be some hundreds: all without a transformation, a third with one.
  if (transform != "none" && k %% 3 != 0) next
  if (transform == "log") y <- log(y)
  if (transform == "gaps") y[c(30, 31, 47, length(y) - 4)] <- NA
  x <- NULL; xf <- NULL
  if (transform == "regressor") { t <- seq_along(y); x <- cbind((t * 7) %% 5, sin(t * t)); u <- length(y) + 1:12; xf <- cbind((u * 7) %% 5, sin(u * u)) }
  arguments <- list(y, order = spec[[1]], seasonal = spec[[2]], include.constant = constant)
  if (!is.null(x)) arguments$xreg <- x
  fit <- tryCatch(do.call(Arima, arguments), error = function(e) { message(e); NULL })
  if (is.null(fit)) next
  line("fixed", name, fit, transform, as.integer(constant), xf)
}
for (name in setdiff(names(specs), "co2")) for (transform in c("none", "log")) {
  y <- get(name); if (transform == "log") y <- log(y)
  fit <- auto.arima(y, approximation = FALSE)
  line("auto", name, fit, transform, as.integer(any(c("intercept", "drift") %in% names(coef(fit)))))
}
