void digits_add(int a[6], int b[6])
{
    int carry = 1;
    for (int i = 0; i < 5; i++) {
        int sum = a[i] + b[i] + carry;
        a[i] = sum % 10;
        carry = sum / 10;
    }
}
