<?php
return new class extends Migration {
    public function up() {
        Schema::create('users', function (Blueprint $table) { $table->id(); $table->string('name'); $table->string('password'); });
        Schema::create('clients', function (Blueprint $table) { $table->id(); $table->string('name'); $table->string('password'); $table->rememberToken(); });
        Schema::create('offers', function (Blueprint $table) {
            $table->id();
            $table->foreignId('client_id')->constrained();
            $table->string('number');
            $table->enum('status', ['draft', 'sent', 'accepted', 'declined']);
            $table->decimal('total', 10, 2);
            $table->date('date');
        });
        Schema::create('offer_items', function (Blueprint $table) { $table->id(); $table->foreignId('offer_id')->constrained(); $table->string('name'); $table->integer('quantity'); $table->decimal('price'); });
        Schema::create('bills', function (Blueprint $table) { $table->id(); $table->foreignId('client_id')->constrained(); $table->string('number'); $table->decimal('total'); $table->date('due_date'); });
    }
    public function down() { Schema::dropIfExists('clients'); }
};
