<?php
/**
 * An order in plain HTTP: checked, placed with retries, followed. PHP 8 with curl, nothing else.
 *
 *     TRADEPOST_URL=http://127.0.0.1:4600 TRADEPOST_KEY=tp_live_… php deploy/examples/order.php
 */

/** One request; null when there was no answer. */
function ask(string $method, string $path, ?array $body = null, array $more = []): ?array
{
    $curl = curl_init(getenv('TRADEPOST_URL') . $path);
    $headers = ['Authorization: Bearer ' . getenv('TRADEPOST_KEY'), ...$more];
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body, JSON_THROW_ON_ERROR));
    }
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT => 5,
        CURLOPT_TIMEOUT => 30,
    ]);
    $answer = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return $answer === false ? null : [$status, json_decode($answer, true) ?? []];
}

/**
 * Sent with one key until there is an answer: however often it is sent, it is taken once. Keep the
 * key with the cart before the first try, so that a crash in between sends the same one again.
 */
function place(array $order, string $key): array
{
    for ($try = 0; $try < 8; $try++) {
        $answer = ask('POST', '/v1/orders', $order, ["Idempotency-Key: $key"]);
        [$status, $body] = $answer ?? [503, []];
        if ($status < 500 && !in_array($status, [408, 409, 429], true)) {
            return [$status, $body];
        }
        usleep(min(60, 2 ** $try) * 1_000_000 + random_int(0, 500_000));
    }
    throw new RuntimeException("No answer yet; try again later with the same key, $key.");
}

// The price as the customer saw it, with the token of POST /v1/prices where prices are signed.
$order = [
    'account' => 'ANDR0001',
    'customerReference' => 'PO 4711',
    'lines' => [['product' => 'DRYPLS220039', 'quantity' => '5', 'unitPrice' => '6.6585']],
];

[, $check] = ask('POST', '/v1/orders/check', $order) ?? throw new RuntimeException('No answer.');
foreach ($check['findings'] ?? [] as $finding) {
    echo "{$finding['policy']}: {$finding['about']} {$finding['instruction']}\n";
}

[$status, $placed] = place($order, bin2hex(random_bytes(16)));
if ($status !== 201 && $status !== 202) {
    exit("Refused: {$placed['detail']}\n");
}

// Later, and as often as wanted; GET /v1/events tells what happened to all orders since last time.
// The key opens every customer's orders: with the account of whoever is logged in, never one that
// the visitor sends, another's order is not there (404).
$number = rawurlencode($placed['webOrder']);
$account = rawurlencode($order['account']);
[$status, $now] = ask('GET', "/v1/orders/$number?account=$account")
    ?? throw new RuntimeException('No answer.');
if ($status !== 200) {
    exit("Not shown: {$now['detail']}\n");
}
echo "{$now['webOrder']} is {$now['state']}, {$now['fulfilment']}.\n";
foreach ($now['invoices'] as $invoice) {
    echo "{$invoice['kind']} {$invoice['document']}: {$invoice['gross']}\n";
}
