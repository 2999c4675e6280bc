CREATE TABLE utenti (id INT PRIMARY KEY, nome VARCHAR(50), password VARCHAR(100));
CREATE TABLE clienti (id INT PRIMARY KEY, nome VARCHAR(50), email VARCHAR(100));
CREATE TABLE fatture (id INT PRIMARY KEY, cliente_id INT REFERENCES clienti (id), numero VARCHAR(20), importo_totale DECIMAL(10,2), date_fattura DATE, access_token CHAR(40));
