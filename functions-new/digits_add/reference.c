void digits_add(int a[6], int b[6])
{
    int carry = 0;
    for (int i = 0; i < 6; i++) {
        int sum = a[i] + b[i] + carry;
        a[i] = sum % 10;
        carry = sum / 10;
    }
}
