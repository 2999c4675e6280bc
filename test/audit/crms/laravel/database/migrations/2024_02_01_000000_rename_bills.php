<?php
return new class extends Migration {
    public function up() { Schema::rename('bills', 'invoices'); Schema::table('invoices', function (Blueprint $table) { $table->renameColumn('total', 'total_amount'); }); }
};
